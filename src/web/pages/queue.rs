//! `/queue/LABEL`, `/queue/A+B`, `/queue/all`: queues in their order.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Frame, chosen, look, render};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{Forge, PAGE, PullView, QueueView, notices};
use paprq_core::ids::PullNumber;

#[derive(Template)]
#[template(path = "queue.html")]
struct Queues {
    frame: Frame,
    queues: Vec<QueueView>,
    page: usize,
    bot: String,
    /// Whether people can log in, and so make rollups.
    can_log_in: bool,
    /// The pulls whose boxes are ticked.
    ticked: BTreeSet<PullNumber>,
}

/// What is shown of a queue.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// Which page of the pulls that are not queued.
    page: Option<usize>,
    /// `1,2,…`: the pulls whose boxes are ticked.
    #[serde(default)]
    prs: String,
}

/// `GET /queue/LABEL?page=N&prs=1,2`.
pub(super) async fn page(
    site: web::Data<Site>,
    labels: web::Path<String>,
    wanted: web::Query<Page>,
) -> Result<HttpResponse, WebError> {
    let page = wanted.page.unwrap_or(1).max(1);
    let mut queues = Vec::new();
    for repo in chosen(&site.engine, &labels)? {
        let (label, forge) = (repo.label().clone(), Forge::new(repo.links()));
        let queue = look(repo, move |queue| {
            QueueView::new(queue, label, &forge, page)
        });
        queues.push(QueueView {
            notices: notices(repo),
            ..queue.await?
        });
    }
    let titles: Vec<_> = queues.iter().map(QueueView::title).collect();
    render(&Queues {
        frame: Frame::new(&site, format!("Queue of {}", titles.join(", ")))
            .following(format!("queue={}", titles.join("+"))),
        queues,
        page,
        bot: site.engine.bot().to_string(),
        can_log_in: site.login.is_some(),
        ticked: ticked(&wanted.prs),
    })
}

/// What is no number ticks nothing.
fn ticked(prs: &str) -> BTreeSet<PullNumber> {
    let numbers = prs
        .split(',')
        .filter_map(|number| number.trim().parse().ok());
    numbers.map(PullNumber).collect()
}

impl Queues {
    /// Whether a pull can be in a rollup.
    fn can_be_rolled_up(&self, pull: &PullView) -> bool {
        let approval = pull.approval.as_ref();
        self.can_log_in && approval.is_some_and(|approval| approval.stands)
    }

    fn is_ticked(&self, pull: &PullView) -> bool {
        self.ticked.contains(&pull.number)
    }

    fn has_more(&self, queue: &QueueView) -> bool {
        self.page < queue.pages()
    }

    /// The numbers of the first and last pull that is not queued on this page.
    fn shown(&self, queue: &QueueView) -> String {
        let first = (self.page - 1).saturating_mul(PAGE);
        format!("{}–{}", first + 1, first + queue.others.len())
    }
}
