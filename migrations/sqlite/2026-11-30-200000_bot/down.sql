alter table instance drop column bot;
