select count(*) = 5 from outbox where not under_way and deaths = 0;
