-- A pull that is approved and tested by itself and as merged at once; one of a stranger; what was
-- under way when the process ended, for the second time in one case.

insert into pulls (repo, number, is_open, updated_at, doc) values (
    'widgets',
    1,
    1,
    1796087711000,
    '{"facts":{"number":1,"title":"Greet more formally","body":"`Hello` becomes `Good day`. All suites pass: say `@paprq-bot r+` and it lands.","author":"bob","state":"open","draft":false,"head":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55","head_label":"octo:good-day","head_repo":"base","pushed_at":1796087711000,"base":"master","mergeable":null,"labels":[],"updated_at":1796087711000},"head_since":1796087711000,"head_moved":null,"changed_since":null,"unseen_since":null,"contained":null,"inquiry":null,"approval":{"value":{"commit":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55","approver":"alice","said_by":"alice","named":"Head"},"set_by":{"at":1796087711000,"id":100027,"sort":"Issue"}},"priority":{"value":0,"set_by":null},"rollup":{"value":0,"set_by":null},"delegate":{"value":null,"set_by":null},"squash":{"value":"no","set_by":null},"hold":{"value":null,"set_by":null},"own":{"stage":{"Running":{"run":20003}},"last_run":20003,"admitted":null,"told":"no","changed_file":null,"stranger":null,"pushers":{"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55":"bob"}},"urgency":"usual","forgotten":null,"unjudged":[],"try_key":null,"stage":{"Running":{"run":70003,"purpose":"land"}},"last_run":70003,"handled":[{"at":1796087711000,"id":100027,"sort":"Issue"}]}'
);
insert into pulls (repo, number, is_open, updated_at, doc) values (
    'widgets',
    4,
    1,
    1796087711000,
    '{"facts":{"number":4,"title":"Greet more warmly","body":"`Hello` becomes `Welcome`. It changes the lines that *Greet more formally* changes: whichever lands second conflicts.","author":"carol","state":"open","draft":false,"head":"f64614046ff09dcfad1ad823d20d111b9f299e56","head_label":"octo:welcome","head_repo":"base","pushed_at":1796087711000,"base":"master","mergeable":null,"labels":[],"updated_at":1796087711000},"head_since":1796087711000,"head_moved":null,"changed_since":null,"unseen_since":null,"contained":null,"inquiry":null,"approval":{"value":null,"set_by":null},"priority":{"value":0,"set_by":null},"rollup":{"value":0,"set_by":null},"delegate":{"value":null,"set_by":null},"squash":{"value":"no","set_by":null},"hold":{"value":null,"set_by":null},"own":{"stage":"Untrusted","last_run":null,"admitted":null,"told":"yes","changed_file":null,"stranger":"carol","pushers":{"f64614046ff09dcfad1ad823d20d111b9f299e56":"carol"}},"urgency":"usual","forgotten":null,"unjudged":[],"try_key":null,"stage":"Idle","last_run":null,"handled":[]}'
);
insert into runs (id, repo, is_over, doc) values (
    10003,
    'widgets',
    1,
    '{"id":10003,"purpose":"branch","base":"good-day","members":[],"repeats":null,"squash":"no","chooser":null,"scope":"usual","tested":"merge","called":[{"context":"lint","name":null,"matrix_context":null},{"context":"unit","name":null,"matrix_context":null},{"context":"spelling","name":null,"matrix_context":null}],"changed_file":null,"exemption":null,"began_at":1796087711702,"phase":{"Done":{"ending":"succeeded","merge":{"base_tip":"0000000000000000000000000000000000000000","merge":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55"},"at":1796087711959}},"checks":[],"completed_suites":[],"rereading":"idle","landing_delay":null}'
);
insert into runs (id, repo, is_over, doc) values (
    20003,
    'widgets',
    0,
    '{"id":20003,"purpose":"pull","base":"master","members":[{"pull":1,"head":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55","approver":null,"said_by":null}],"repeats":null,"squash":"no","chooser":null,"scope":"usual","tested":"merge","called":[{"context":"lint","name":null,"matrix_context":null},{"context":"unit","name":null,"matrix_context":null},{"context":"spelling","name":null,"matrix_context":null}],"changed_file":null,"exemption":null,"began_at":1796087711731,"phase":{"Testing":{"merge":{"base_tip":"597de78842a0f3c07f852629450201abcba1907f","merge":"b4a8fd71608a0e04fa57fb13f0e8650640b08e85"},"awaits":[],"deadline":1796260512266}},"checks":[{"check":{"Suite":"lint"},"weight":"Required","state":"Waiting","origin":"own","reports":[]},{"check":{"Suite":"unit"},"weight":"Required","state":"Waiting","origin":"own","reports":[]},{"check":{"Suite":"spelling"},"weight":"Informs","state":"Waiting","origin":"own","reports":[]}],"completed_suites":[],"rereading":"idle","landing_delay":null}'
);
insert into runs (id, repo, is_over, doc) values (
    70003,
    'widgets',
    0,
    '{"id":70003,"purpose":"land","base":"master","members":[{"pull":1,"head":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55","approver":"alice","said_by":"alice"}],"repeats":null,"squash":"no","chooser":null,"scope":"usual","tested":"merge","called":[],"changed_file":null,"exemption":null,"began_at":1796087711928,"phase":{"Merging":{"deadline":1796088611928}},"checks":[],"completed_suites":[],"rereading":"idle","landing_delay":null}'
);
insert into run_members (run, repo, pull) values (
    20003,
    'widgets',
    1
);
insert into run_members (run, repo, pull) values (
    70003,
    'widgets',
    1
);
insert into jobs (id, repo, run, context, is_over, doc, tree, definition, passed_at) values (
    101,
    'widgets',
    110003,
    'lint',
    0,
    '{"id":101,"repo":"widgets","run":110003,"purpose":"branch","priority":0,"commit":"c75c4bacd91bc0a7faeffa7cfe2c07b84f3c4fe2","subject":{"pull":null,"labels":[],"identity":null,"branch":"master"},"tree":"23d932a32d59ac915940d36354661cff99cb4de8","suite":{"context":"lint","environment":{"sandbox":{"network":"off"}},"branches":["auto","try","master"],"pulls":true,"required":true,"env":[],"build":null,"tests":["sh tests/lint.sh"],"timeout_s":120,"artifacts":[],"packages":[],"extra_repos":[],"name":null,"matrix":[],"matrix_context":null,"needs":[],"paths":[],"paths_ignore":[],"labels":[],"slots":null,"retries":0,"preemptible":false,"allow_failure":false,"on_demand":false,"secrets":[]},"made_at":1796087712169,"state":{"Leased":{"attempt":1,"worker":{"token":"local","name":"local-1"},"until":1796087772185,"wish":"go_on","git_password":"2ea376fb9baa994f710bf4993d06c26f0465fd64cf6158062b83d5a43f2468e1"}},"attempts":[{"number":1,"worker":{"token":"local","name":"local-1"},"began_at":1796087712185,"ended":null,"preempted_by":null}]}',
    '23d932a32d59ac915940d36354661cff99cb4de8',
    '32d38ca716167a7f72ec21732b31c206a9f057e72e47eb30f3381703bf52e714',
    null
);
insert into jobs (id, repo, run, context, is_over, doc, tree, definition, passed_at) values (
    107,
    'widgets',
    20003,
    'lint',
    0,
    '{"id":107,"repo":"widgets","run":20003,"purpose":"pull","priority":0,"commit":"b4a8fd71608a0e04fa57fb13f0e8650640b08e85","subject":{"pull":1,"labels":[],"identity":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55","branch":"master"},"tree":"8937fd1eb477596c4c12910ef6996ae3ba429748","suite":{"context":"lint","environment":{"sandbox":{"network":"off"}},"branches":["auto","try","master"],"pulls":true,"required":true,"env":[],"build":null,"tests":["sh tests/lint.sh"],"timeout_s":120,"artifacts":[],"packages":[],"extra_repos":[],"name":null,"matrix":[],"matrix_context":null,"needs":[],"paths":[],"paths_ignore":[],"labels":[],"slots":null,"retries":0,"preemptible":false,"allow_failure":false,"on_demand":false,"secrets":[]},"made_at":1796087712299,"state":"Waiting","attempts":[]}',
    '8937fd1eb477596c4c12910ef6996ae3ba429748',
    '32d38ca716167a7f72ec21732b31c206a9f057e72e47eb30f3381703bf52e714',
    null
);
insert into inbox (id, repo, delivery, events, received_at, done_at) values (
    109,
    'widgets',
    'f70ee3d8-c7be-4cfc-b931-58d5ad378650',
    '[{"BranchPushed":{"branch":"soak","before":"0000000000000000000000000000000000000000","after":"adc6810015da9e173ba22c43690eaf7b5f04ddaf","at":1796087711000}}]',
    1796087711929,
    1796087711968
);
insert into inbox (id, repo, delivery, events, received_at, done_at) values (
    114,
    'widgets',
    '015add5c-a2f9-4469-865d-e07512a58313',
    '[{"CommentMade":{"pull":1,"comment":{"key":{"at":1796087711000,"id":100027,"sort":"Issue"},"author":"alice","standing":null,"body":"@paprq-bot r+","commit":null,"url":"https://paprq.example/octo/widgets/pull/1#issuecomment-100027"}}}]',
    1796087712034,
    null
);
insert into outbox (id, repo, effect, ordered_at, tries, under_way, deaths) values (
    111,
    'widgets',
    '{"MakeMerge":{"run":70003,"base":"master","test_branch":"auto","members":[{"pull":1,"head":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55","message":"Auto merge of #1 - octo:good-day, r=alice\n\nGreet more formally\n\n`Hello` becomes `Good day`. All suites pass: say `@paprq-bot r+` and it lands.\n","style":{"shape":"as_they_are","history":"merged"}}],"again":null,"unlike":null}}',
    1796087711928,
    0,
    1,
    1
);
insert into outbox (id, repo, effect, ordered_at, tries, under_way, deaths) values (
    135,
    'widgets',
    '{"SetStatus":{"commit":"c75c4bacd91bc0a7faeffa7cfe2c07b84f3c4fe2","note":{"Suite":{"context":"unit","progress":"Running","url":"https://paprq.example/job/2","run":{"id":110003,"purpose":"branch","tested":"merge","pull":null}}}}}',
    1796087712241,
    0,
    0,
    0
);
