select count(*) = 0 from retry_log;
