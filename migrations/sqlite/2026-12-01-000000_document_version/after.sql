select count(*) = 1 from instance where document_version = 0;
