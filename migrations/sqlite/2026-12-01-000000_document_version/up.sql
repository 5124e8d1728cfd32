-- The newest version that documents may be written in: an older program must not touch them.
alter table instance add column document_version bigint not null default 0;
