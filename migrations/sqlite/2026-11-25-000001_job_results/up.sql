-- What passed on which tree, so that it need not be executed there again.
alter table jobs add column tree text;
alter table jobs add column definition text;
alter table jobs add column passed_at bigint;
create index jobs_passed on jobs (repo, tree) where passed_at is not null;
