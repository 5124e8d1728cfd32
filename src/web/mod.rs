//! HTTP: webhooks, pages, live events and the workers' API.
