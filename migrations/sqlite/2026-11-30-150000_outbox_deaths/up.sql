alter table outbox add column under_way boolean not null default false;
alter table outbox add column deaths integer not null default 0;
