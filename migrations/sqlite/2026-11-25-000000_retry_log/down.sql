drop table retry_log;
