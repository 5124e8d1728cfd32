-- What was ordered before has not been tried yet, as far as is known.
select count(*) = 3 from outbox where tries = 0;
