alter table retry_log drop column source;
