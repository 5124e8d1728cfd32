alter table instance add column bot text;
