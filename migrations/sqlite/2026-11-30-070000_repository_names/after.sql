-- GitHub is asked at the next start.
select count(*) = 2 from repos
where github_id is null and github_name is null and asked_as is null;
