//! Users, repositories, collaborators, webhooks.

use serde_json::{Value, json};

use crate::json::iso;
use crate::world::{Delivery, DeliveryOutcome, Permission};
use paprq_core::ids::Login;

use super::asked::{Asked, id, spent};
use super::{Answer, Limits, Refusal};

pub(super) fn route(asked: &Asked<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (asked.method(), path) {
        ("GET", []) => repo(asked),
        ("POST", ["forks"]) => fork(asked),
        ("GET", ["collaborators"]) => collaborators(asked),
        ("GET", ["collaborators", login]) => collaborator(asked, &Login::new(*login)),
        ("GET", ["collaborators", login, "permission"]) => permission(asked, &Login::new(*login)),
        ("GET", ["hooks"]) => hooks(asked),
        ("GET", ["hooks", hook, "deliveries"]) => deliveries(asked, id(hook)?),
        ("POST", ["hooks", hook, "deliveries", delivery, "attempts"]) => {
            redeliver(asked, id(hook)?, id(delivery)?)
        }
        _ => Err(Refusal::NotFound),
    }
}

/// `GET /user`
pub(super) fn own_user(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let login = asked.user()?;
    let world = asked.core.world();
    Ok(Answer::ok(asked.core.shapes(&world).own_user(login)))
}

/// `GET /rate_limit`, which costs nothing at GitHub and one request here.
pub(super) fn rate_limit(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let login = asked.user()?;
    let used = spent(&asked.core.world(), login);
    let limits = Limits::of(asked.core, used);
    let rate = json!({
        "limit": limits.limit,
        "used": limits.used,
        "remaining": limits.remaining,
        "reset": limits.reset,
    });
    Ok(Answer::ok(
        json!({"resources": {"core": rate, "search": rate}, "rate": rate}),
    ))
}

fn repo(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let permission = asked.permission();
    asked.read(|shapes, repo| Ok(Answer::ok(shapes.full_repo(repo, permission))))
}

/// `POST /forks`: 202, also where the caller has forked it before.
fn fork(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let owner = asked.user()?;
    let name = asked.read(|_, repo| Ok(format!("{owner}/{}", repo.name)))?;
    if asked.core.world().repo(&name).is_none() {
        asked.core.fork(&asked.repo, owner.as_str())?;
    }
    let accepted = actix_web::http::StatusCode::ACCEPTED;
    asked.about(&name)?.read(|shapes, fork| {
        let shape = shapes.full_repo(fork, Permission::Admin);
        Ok(Answer::with_status(accepted, Some(shape)))
    })
}

fn collaborators(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    asked.writer()?;
    asked.read(|shapes, repo| {
        let mut all = vec![(&repo.owner, Permission::Admin)];
        all.extend(repo.collaborators.iter().map(|(login, may)| (login, *may)));
        Ok(asked.page(all, |(login, may)| shapes.collaborator(login, may)))
    })
}

fn collaborator(asked: &Asked<'_>, login: &Login) -> Result<Answer, Refusal> {
    if asked.permission() < Permission::Write {
        return Err(Refusal::Forbidden(
            "Must have push access to view repository collaborators.",
        ));
    }
    asked.read(|_, repo| {
        if repo.owner == *login || repo.collaborators.contains_key(login) {
            Ok(Answer::nothing())
        } else {
            Err(Refusal::NotFound)
        }
    })
}

/// GitHub's old word `permission` knows neither triage nor maintain; `role_name` does.
fn permission(asked: &Asked<'_>, login: &Login) -> Result<Answer, Refusal> {
    asked.writer()?;
    if !asked.core.world().users.contains_key(login) {
        return Err(Refusal::NotFound);
    }
    asked.read(|shapes, repo| {
        let may = repo.permission(login);
        let old = match may {
            Permission::Read | Permission::Triage => "read",
            Permission::Write | Permission::Maintain => "write",
            Permission::Admin => "admin",
        };
        Ok(Answer::ok(json!({
            "permission": old,
            "role_name": may.as_str(),
            "user": shapes.collaborator(login, may),
        })))
    })
}

fn admin(asked: &Asked<'_>) -> Result<(), Refusal> {
    asked.user()?;
    if asked.permission() >= Permission::Admin {
        Ok(())
    } else {
        Err(Refusal::NotFound)
    }
}

fn hooks(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    admin(asked)?;
    let api = format!("{}/api/v3/repos/{}/hooks", asked.core.url, asked.repo);
    asked.read(|_, repo| {
        Ok(asked.page(repo.hooks.iter().collect(), |hook| {
            json!({
                "type": "Repository",
                "id": hook.id,
                "name": "web",
                "active": true,
                "events": ["*"],
                "config": {"content_type": "json", "url": hook.url, "insecure_ssl": "0"},
                "updated_at": iso(hook.created_at),
                "created_at": iso(hook.created_at),
                "url": format!("{api}/{}", hook.id),
                "test_url": format!("{api}/{}/test", hook.id),
                "ping_url": format!("{api}/{}/pings", hook.id),
                "deliveries_url": format!("{api}/{}/deliveries", hook.id),
                "last_response": {"code": null, "status": "unused", "message": null},
            })
        }))
    })
}

/// Newest first. GitHub pages by cursor; here all that fit on a page are all there is.
fn deliveries(asked: &Asked<'_>, hook: u64) -> Result<Answer, Refusal> {
    admin(asked)?;
    let repo = asked.read(|_, repo| Ok(repo.id))?;
    let world = asked.core.world();
    let made = world.deliveries.iter().rev();
    let made = made
        .filter(|delivery| delivery.hook == hook && delivery.outcome != DeliveryOutcome::UnderWay);
    Ok(asked.page(made.collect(), |delivery| item(delivery, repo)))
}

/// `hook-delivery-item`. A delivery that nobody answered has status code 0, or 502 where a
/// connection failed; a lost one is told as one that timed out.
fn item(delivery: &Delivery, repo: u64) -> Value {
    let (status, code) = match &delivery.outcome {
        DeliveryOutcome::UnderWay => ("pending", 0),
        DeliveryOutcome::Answered(code @ 200..300) => ("OK", *code),
        DeliveryOutcome::Answered(code) => ("Invalid HTTP Response", *code),
        DeliveryOutcome::Unanswered(_) => ("failed to connect to host", 502),
        DeliveryOutcome::Lost => ("timed out", 504),
    };
    let took_ms = u32::try_from(delivery.took_ms).unwrap_or(u32::MAX);
    json!({
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": iso(delivery.at),
        "redelivery": delivery.again,
        "duration": f64::from(took_ms) / 1000.0,
        "status": status,
        "status_code": code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": null,
        "repository_id": repo,
        "throttled_at": null,
    })
}

fn redeliver(asked: &Asked<'_>, hook: u64, delivery: u64) -> Result<Answer, Refusal> {
    admin(asked)?;
    let mut world = asked.core.world();
    if asked.core.deliver_again(&mut world, hook, delivery) {
        let accepted = actix_web::http::StatusCode::ACCEPTED;
        Ok(Answer::with_status(accepted, Some(json!({}))))
    } else {
        Err(Refusal::NotFound)
    }
}
