drop table forwards;
