-- Webhooks that are still to be passed on to the service beside us, as they came.

create table forwards (
    id integer primary key autoincrement not null,
    repo text not null,
    headers text not null,
    body blob not null,
    bytes bigint not null,
    received_at bigint not null
);
create index forwards_of_repo on forwards (repo, id, bytes);
create index forwards_by_age on forwards (received_at);
