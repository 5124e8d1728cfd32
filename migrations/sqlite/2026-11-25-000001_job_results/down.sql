drop index jobs_passed;
alter table jobs drop column passed_at;
alter table jobs drop column definition;
alter table jobs drop column tree;
