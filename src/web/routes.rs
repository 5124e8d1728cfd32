//! All addresses: each takes what it takes, HEAD where it takes GET, and says so to whoever comes with
//! another method.

use std::future::ready;

use actix_web::dev::Handler;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpResponse, Responder, Route, guard, web};

/// An address, and the methods that it takes, as `Allow` lists them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Address {
    pub(super) pattern: &'static str,
    pub(super) allow: &'static str,
}

/// The addresses, while they are put into the application.
pub(super) struct Routes<'c> {
    config: &'c mut web::ServiceConfig,
    table: Vec<Address>,
}

impl<'c> Routes<'c> {
    pub(super) fn new(config: &'c mut web::ServiceConfig) -> Self {
        Self {
            config,
            table: Vec::new(),
        }
    }

    /// All that were put in.
    pub(super) fn into_table(self) -> Vec<Address> {
        self.table
    }

    /// GET, and HEAD, whose answer `front` leaves without its body.
    pub(super) fn get<F, Args>(self, pattern: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let reads = guard::Any(guard::Get()).or(guard::Head());
        let route = web::route().guard(reads).to(handler);
        let allow = "GET, HEAD";
        self.add(Address { pattern, allow }, route)
    }

    pub(super) fn post<F, Args>(self, pattern: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let allow = "POST";
        self.add(Address { pattern, allow }, web::post().to(handler))
    }

    pub(super) fn put<F, Args>(self, pattern: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let allow = "PUT";
        self.add(Address { pattern, allow }, web::put().to(handler))
    }

    fn add(mut self, address: Address, route: Route) -> Self {
        let otherwise = web::to(move |method: Method| ready(not_allowed(&method, address.allow)));
        let resource = web::resource(address.pattern).route(route);
        self.config.service(resource.default_service(otherwise));
        self.table.push(address);
        self
    }
}

fn not_allowed(method: &Method, allow: &'static str) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, allow))
        .content_type("text/plain; charset=utf-8")
        .body(format!("{method} is not possible here, only {allow}\n"))
}
