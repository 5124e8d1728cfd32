-- By which number GitHub knows a repository, how it is called there now, and by which name of cfg.toml
-- that was found out.

alter table repos add column github_id bigint;
alter table repos add column github_name text;
alter table repos add column asked_as text;
