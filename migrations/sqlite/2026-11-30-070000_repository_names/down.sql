alter table repos drop column asked_as;
alter table repos drop column github_name;
alter table repos drop column github_id;
