alter table outbox drop column tries;
