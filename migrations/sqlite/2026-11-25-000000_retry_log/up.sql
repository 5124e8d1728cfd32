-- Who asked for a test to be run again, and in which words; kept for as long as cfg.toml says.

create table retry_log (
    id integer primary key autoincrement not null,
    repo text not null,
    number bigint not null,
    at bigint not null,
    who text not null,
    message text not null,
    unique (repo, number, at, who)
);
create index retry_log_of_repo on retry_log (repo, at);
create index retry_log_by_age on retry_log (at);
