alter table outbox add column tries integer not null default 0;
