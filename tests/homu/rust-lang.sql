-- The tables of rust-lang's line of Homu.
create table pull (
    repo text not null, num integer not null, status text not null, merge_sha text, title text,
    body text, head_sha text, head_ref text, base_ref text, assignee text, approved_by text,
    priority integer, try_ integer, rollup integer, squash integer, delegate text,
    unique (repo, num)
);
create table build_res (
    repo text not null, num integer not null, builder text not null, res integer,
    url text not null, merge_sha text not null, unique (repo, num, builder)
);
create table mergeable (
    repo text not null, num integer not null, mergeable integer not null, unique (repo, num)
);
create table repos (
    repo text not null, treeclosed integer not null, treeclosed_src text, unique (repo)
);
create table retry_log (
    repo text not null, num integer not null,
    time datetime default current_timestamp not null, src text not null, msg text not null
);
