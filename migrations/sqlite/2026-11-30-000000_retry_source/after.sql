select count(*) = 1 from retry_log where source = '';
