-- On which tree it passed was not written down, so nothing is taken as passed before.
select count(*) = 4 from jobs where tree is null and definition is null and passed_at is null;
