//! `/queue/LABEL`, `/queue/A+B`, `/queue/all`: queues in their order.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Frame, chosen, look, render};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{Forge, PAGE, QueueView};

#[derive(Template)]
#[template(path = "queue.html")]
struct Queues {
    frame: Frame,
    queues: Vec<QueueView>,
    page: usize,
    bot: String,
}

/// Which page of the pulls that are not queued.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    page: Option<usize>,
}

/// `GET /queue/LABEL?page=N`.
pub(super) async fn page(
    site: web::Data<Site>,
    labels: web::Path<String>,
    page: web::Query<Page>,
) -> Result<HttpResponse, WebError> {
    let page = page.page.unwrap_or(1).max(1);
    let mut queues = Vec::new();
    for repo in chosen(&site.engine, &labels)? {
        let (label, forge) = (repo.label().clone(), Forge::new(repo.links()));
        let queue = look(repo, move |queue| {
            QueueView::new(queue, label, &forge, page)
        });
        queues.push(queue.await?);
    }
    let titles: Vec<_> = queues.iter().map(QueueView::title).collect();
    render(&Queues {
        frame: Frame::new(&site, format!("Queue of {}", titles.join(", ")))
            .following(format!("queue={}", titles.join("+"))),
        queues,
        page,
        bot: site.engine.bot().to_string(),
    })
}

impl Queues {
    fn has_more(&self, queue: &QueueView) -> bool {
        self.page < queue.pages()
    }

    /// The numbers of the first and last pull that is not queued on this page.
    fn shown(&self, queue: &QueueView) -> String {
        let first = (self.page - 1).saturating_mul(PAGE);
        format!("{}–{}", first + 1, first + queue.others.len())
    }
}
