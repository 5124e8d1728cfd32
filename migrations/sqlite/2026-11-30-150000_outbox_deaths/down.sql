alter table outbox drop column deaths;
alter table outbox drop column under_way;
