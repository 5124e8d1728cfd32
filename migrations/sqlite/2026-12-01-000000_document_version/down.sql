alter table instance drop column document_version;
