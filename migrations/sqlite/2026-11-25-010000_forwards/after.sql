select count(*) = 0 from forwards;
