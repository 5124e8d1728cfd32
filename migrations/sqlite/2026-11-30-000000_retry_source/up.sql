-- The address of the comment; empty where it is not known. Homu keeps it instead of the author.

alter table retry_log add column source text not null default '';
