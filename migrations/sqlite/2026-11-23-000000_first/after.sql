select count(*) = 0 from instance;
select count(*) = 0 from repos;
