select count(*) = 1 from instance where bot is null;
