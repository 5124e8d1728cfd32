-- What the core decides on is kept as it is, one JSON document per pull, run and job, beside the
-- columns that are searched by. Moments are milliseconds since 1970.

create table instance (
    id integer primary key not null check (id = 1),
    key text not null
);

create table repos (
    label text primary key not null,
    ordinal bigint not null unique,
    desk text not null,
    known_since bigint not null,
    synced_at bigint
);

create table pulls (
    repo text not null,
    number bigint not null,
    is_open boolean not null,
    updated_at bigint not null,
    doc text not null,
    primary key (repo, number)
);
create index pulls_open on pulls (repo, is_open);

create table runs (
    id bigint primary key not null,
    repo text not null,
    is_over boolean not null,
    doc text not null
);
create index runs_of_repo on runs (repo, is_over);

create table run_members (
    run bigint not null,
    repo text not null,
    pull bigint not null,
    primary key (run, pull)
);
create index run_members_of_pull on run_members (repo, pull);

create table jobs (
    id integer primary key autoincrement not null,
    repo text not null,
    run bigint not null,
    context text not null,
    is_over boolean not null,
    doc text not null,
    unique (run, context)
);
create index jobs_open on jobs (is_over);

create table inbox (
    id integer primary key autoincrement not null,
    repo text not null,
    delivery text unique,
    events text not null,
    received_at bigint not null,
    done_at bigint
);
create index inbox_open on inbox (repo, done_at);

create table outbox (
    id integer primary key autoincrement not null,
    repo text not null,
    effect text not null,
    ordered_at bigint not null
);
create index outbox_of_repo on outbox (repo);

create table events (
    id integer primary key autoincrement not null,
    repo text not null,
    at bigint not null,
    event text not null,
    effects text not null
);
create index events_of_repo on events (repo, id);
