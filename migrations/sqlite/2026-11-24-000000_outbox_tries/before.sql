-- A pull under test, one that is merged and one that nobody has approved; of three jobs one goes on;
-- a comment that is not applied yet, and orders that are not done.

insert into instance (id, key) values (
    1,
    '39afc6fa5941'
);
insert into repos (label, ordinal, desk, known_since, synced_at) values (
    'demo',
    1,
    '{"tree":{"value":"Open","set_by":null},"last_run":40001,"bases":{"master":"dfbb32ff8d41d154a1cee717cacab837846014a3"}}',
    1796087571858,
    1796087271902
);
insert into pulls (repo, number, is_open, updated_at, doc) values (
    'demo',
    4,
    1,
    1796087571000,
    '{"facts":{"number":4,"title":"Greet more warmly","body":"`Hello` becomes `Welcome`. It changes the lines that *Greet more formally* changes: whichever lands second conflicts.","author":"carol","state":"open","draft":false,"head":"850c469d5042eb697d08dcf964a19d81372327ce","head_label":"octo:welcome","base":"master","mergeable":false,"labels":[],"updated_at":1796087571000},"head_since":1796087566000,"changed_since":null,"inquiry":null,"approval":{"value":null,"set_by":null},"priority":{"value":0,"set_by":null},"rollup":{"value":0,"set_by":null},"delegate":{"value":null,"set_by":null},"squash":{"value":"no","set_by":null},"urgency":"usual","forgotten":null,"unjudged":[],"try_key":null,"stage":"Idle","last_run":null,"handled":[]}'
);
insert into pulls (repo, number, is_open, updated_at, doc) values (
    'demo',
    2,
    0,
    1796087573000,
    '{"facts":{"number":2,"title":"Say goodbye as well","body":"A second function, with a test. The test fails: a comma is missing.","author":"bob","state":"merged","draft":false,"head":"b6bdf180fd98d28df45e28fab1d82591e1342c9a","head_label":"octo:farewell","base":"master","mergeable":true,"labels":[],"updated_at":1796087573000},"head_since":1796087573000,"changed_since":null,"inquiry":null,"approval":{"value":null,"set_by":{"at":1796087573000,"id":100074,"sort":"Issue"}},"priority":{"value":0,"set_by":null},"rollup":{"value":0,"set_by":null},"delegate":{"value":null,"set_by":null},"squash":{"value":"no","set_by":null},"urgency":"usual","forgotten":null,"unjudged":[],"try_key":null,"stage":{"Ended":{"run":30001,"purpose":"land","ending":"succeeded"}},"last_run":30001,"handled":[{"at":1796087572000,"id":100043,"sort":"Issue"},{"at":1796087573000,"id":100074,"sort":"Issue"}]}'
);
insert into pulls (repo, number, is_open, updated_at, doc) values (
    'demo',
    7,
    1,
    1796087573000,
    '{"facts":{"number":7,"title":"Test the settings","body":"Needs settings.conf, which somebody else brings.","author":"bob","state":"open","draft":false,"head":"c9ae00dbaa92c7f41629968eb99ee4bfe2d7353d","head_label":"octo:settings","base":"master","mergeable":null,"labels":[],"updated_at":1796087573000},"head_since":1796087573000,"changed_since":null,"inquiry":null,"approval":{"value":{"commit":"c9ae00dbaa92c7f41629968eb99ee4bfe2d7353d","approver":"alice","said_by":"alice","named":"Head"},"set_by":{"at":1796087573000,"id":100108,"sort":"Issue"}},"priority":{"value":0,"set_by":null},"rollup":{"value":0,"set_by":null},"delegate":{"value":null,"set_by":null},"squash":{"value":"no","set_by":null},"urgency":"usual","forgotten":null,"unjudged":[],"try_key":null,"stage":{"Running":{"run":40001,"purpose":"land"}},"last_run":40001,"handled":[{"at":1796087573000,"id":100108,"sort":"Issue"}]}'
);
insert into runs (id, repo, is_over, doc) values (
    20001,
    'demo',
    1,
    '{"id":20001,"purpose":"land","base":"master","members":[{"pull":2,"head":"d65e0c8f2debd047336e979ec010daa682363b92","approver":"alice","said_by":"alice"}],"repeats":null,"squash":"no","chooser":null,"exemption":null,"began_at":1796087572620,"phase":{"Done":{"ending":"failed","merge":{"base_tip":"37205bef6ab4274dbfdeaedf8d4720e519473e69","merge":"847092476559977e3699b72c219e80a86493b557"},"at":1796087573239}},"checks":[{"check":{"Suite":"lint"},"weight":"Required","state":{"Passed":{"url":"https://paprq.example/job/4"}}},{"check":{"Suite":"unit"},"weight":"Required","state":{"Failed":{"url":"https://paprq.example/job/5","verdict":{"Failed":1}}}},{"check":{"Suite":"spelling"},"weight":"Informs","state":"Cancelled"}]}'
);
insert into runs (id, repo, is_over, doc) values (
    30001,
    'demo',
    1,
    '{"id":30001,"purpose":"land","base":"master","members":[{"pull":2,"head":"b6bdf180fd98d28df45e28fab1d82591e1342c9a","approver":"alice","said_by":"alice"}],"repeats":null,"squash":"no","chooser":null,"exemption":null,"began_at":1796087573325,"phase":{"Done":{"ending":"succeeded","merge":{"base_tip":"37205bef6ab4274dbfdeaedf8d4720e519473e69","merge":"dfbb32ff8d41d154a1cee717cacab837846014a3"},"at":1796087573933}},"checks":[{"check":{"Suite":"lint"},"weight":"Required","state":{"Passed":{"url":"https://paprq.example/job/7"}}},{"check":{"Suite":"unit"},"weight":"Required","state":{"Passed":{"url":"https://paprq.example/job/8"}}},{"check":{"Suite":"spelling"},"weight":"Informs","state":{"Running":{"url":"https://paprq.example/job/9"}}}]}'
);
insert into runs (id, repo, is_over, doc) values (
    40001,
    'demo',
    0,
    '{"id":40001,"purpose":"land","base":"master","members":[{"pull":7,"head":"c9ae00dbaa92c7f41629968eb99ee4bfe2d7353d","approver":"alice","said_by":"alice"}],"repeats":null,"squash":"no","chooser":null,"exemption":null,"began_at":1796087574021,"phase":{"Merging":{"deadline":1796088474021}},"checks":[]}'
);
insert into run_members (run, repo, pull) values (
    20001,
    'demo',
    2
);
insert into run_members (run, repo, pull) values (
    30001,
    'demo',
    2
);
insert into run_members (run, repo, pull) values (
    40001,
    'demo',
    7
);
insert into jobs (id, repo, run, context, is_over, doc) values (
    5,
    'demo',
    20001,
    'unit',
    1,
    '{"id":5,"repo":"demo","run":20001,"purpose":"land","priority":0,"commit":"847092476559977e3699b72c219e80a86493b557","subject":{"pull":null,"labels":[],"identity":null,"branch":""},"suite":{"context":"unit","environment":{"sandbox":{"network":"off"}},"branches":["auto","try","master"],"pulls":true,"required":true,"env":[],"build":null,"tests":["sh tests/unit.sh"],"timeout_s":120,"artifacts":[],"packages":[],"extra_repos":[],"name":null,"matrix":[],"matrix_context":null,"needs":[],"paths":[],"paths_ignore":[],"labels":[],"slots":null,"retries":0,"preemptible":false,"allow_failure":false,"on_demand":false,"secrets":[]},"made_at":1796087572655,"state":{"Finished":{"outcome":{"outcome":"failed","exit_code":1},"at":1796087573231}},"attempts":[{"number":1,"worker":{"token":"local","name":"local-1"},"began_at":1796087572911,"ended":{"Reported":{"at":1796087573231,"outcome":{"outcome":"failed","exit_code":1}}}}]}'
);
insert into jobs (id, repo, run, context, is_over, doc) values (
    6,
    'demo',
    20001,
    'spelling',
    1,
    '{"id":6,"repo":"demo","run":20001,"purpose":"land","priority":0,"commit":"847092476559977e3699b72c219e80a86493b557","subject":{"pull":null,"labels":[],"identity":null,"branch":""},"suite":{"context":"spelling","environment":{"sandbox":{"network":"off"}},"branches":["auto","try","master"],"pulls":true,"required":false,"env":[],"build":null,"tests":["sh tests/spelling.sh"],"timeout_s":120,"artifacts":[],"packages":[],"extra_repos":[],"name":null,"matrix":[],"matrix_context":null,"needs":[],"paths":[],"paths_ignore":[],"labels":[],"slots":null,"retries":0,"preemptible":false,"allow_failure":false,"on_demand":false,"secrets":[]},"made_at":1796087572655,"state":{"Cancelled":{"at":1796087573530}},"attempts":[{"number":1,"worker":{"token":"local","name":"local-2"},"began_at":1796087573072,"ended":{"Lost":{"at":1796087573530}}}]}'
);
insert into jobs (id, repo, run, context, is_over, doc) values (
    9,
    'demo',
    30001,
    'spelling',
    0,
    '{"id":9,"repo":"demo","run":30001,"purpose":"land","priority":0,"commit":"dfbb32ff8d41d154a1cee717cacab837846014a3","subject":{"pull":null,"labels":[],"identity":null,"branch":""},"suite":{"context":"spelling","environment":{"sandbox":{"network":"off"}},"branches":["auto","try","master"],"pulls":true,"required":false,"env":[],"build":null,"tests":["sh tests/spelling.sh"],"timeout_s":120,"artifacts":[],"packages":[],"extra_repos":[],"name":null,"matrix":[],"matrix_context":null,"needs":[],"paths":[],"paths_ignore":[],"labels":[],"slots":null,"retries":0,"preemptible":false,"allow_failure":false,"on_demand":false,"secrets":[]},"made_at":1796087573554,"state":{"Leased":{"attempt":1,"worker":{"token":"local","name":"local-1"},"until":1796087633949,"wish":"go_on","git_token":"5ce6acc658679cd76f67ee0c53c205b80f9f8ad9"}},"attempts":[{"number":1,"worker":{"token":"local","name":"local-1"},"began_at":1796087573949,"ended":null}]}'
);
insert into inbox (id, repo, delivery, events, received_at, done_at) values (
    15,
    'demo',
    'job-5-ended',
    '[{"SuiteFinished":{"run":20001,"context":"unit","verdict":{"Failed":1},"url":"https://paprq.example/job/5"}}]',
    1796087573231,
    1796087573239
);
insert into inbox (id, repo, delivery, events, received_at, done_at) values (
    17,
    'demo',
    'b31bcb2c-1342-4ec1-822b-af05639062d8',
    '[{"PullSeen":{"facts":{"number":2,"title":"Say goodbye as well","body":"A second function, with a test. The test fails: a comma is missing.","author":"bob","state":"open","draft":false,"head":"b6bdf180fd98d28df45e28fab1d82591e1342c9a","head_label":"octo:farewell","base":"master","mergeable":null,"labels":[],"updated_at":1796087573000},"source":"Webhook"}}]',
    1796087573294,
    1796087573306
);
insert into inbox (id, repo, delivery, events, received_at, done_at) values (
    27,
    'demo',
    '4ddf9969-ba4d-4c4b-8d23-28b42d0fe44f',
    '[{"CommentMade":{"pull":7,"comment":{"key":{"at":1796087573000,"id":100108,"sort":"Issue"},"author":"alice","standing":null,"body":"@paprq-bot r+","commit":null,"url":"https://paprq.example/octo/demo/pull/7#issuecomment-100108"}}}]',
    1796087574004,
    null
);
insert into outbox (id, repo, effect, ordered_at) values (
    63,
    'demo',
    '{"CheckMergeability":{"base":{"branch":"master","tip":"37205bef6ab4274dbfdeaedf8d4720e519473e69","culprit":null},"pulls":{"one":7}}}',
    1796087573998
);
insert into outbox (id, repo, effect, ordered_at) values (
    64,
    'demo',
    '{"CheckMergeability":{"base":{"branch":"master","tip":"dfbb32ff8d41d154a1cee717cacab837846014a3","culprit":{"pull":2}},"pulls":"all"}}',
    1796087574010
);
insert into outbox (id, repo, effect, ordered_at) values (
    66,
    'demo',
    '{"MakeMerge":{"run":40001,"base":"master","test_branch":"auto","members":[{"pull":7,"head":"c9ae00dbaa92c7f41629968eb99ee4bfe2d7353d","message":"Auto merge of #7 - octo:settings, r=alice\n\nTest the settings\n\nNeeds settings.conf, which somebody else brings.\n","style":{"shape":"as_they_are","history":"merged"}}],"again":null,"unlike":null}}',
    1796087574021
);
insert into events (id, repo, at, event, effects) values (
    7,
    'demo',
    1796087572094,
    '{"PullRestored":{"facts":{"number":1,"title":"Greet more formally","body":"`Hello` becomes `Good day`. All suites pass: say `@paprq-bot r+` and it lands.","author":"bob","state":"open","draft":false,"head":"1dd8fba8cfeddd71e44f477025626c491472367d","head_label":"octo:good-day","base":"master","mergeable":null,"labels":[],"updated_at":1796087571000},"comments":[],"result":null}}',
    '[{"CheckMergeability":{"base":{"branch":"master","tip":"14285a47424cdbb1bcd903cc102f0eab73c6ca3f","culprit":null},"pulls":{"one":1}}}]'
);
insert into events (id, repo, at, event, effects) values (
    8,
    'demo',
    1796087572094,
    '{"CommentMade":{"pull":1,"comment":{"key":{"at":1796087571000,"id":100014,"sort":"Issue"},"author":"alice","standing":null,"body":"@paprq-bot r+","commit":null,"url":"https://paprq.example/octo/demo/pull/1#issuecomment-100014"}}}',
    '[{"PostComment":{"pull":1,"note":{"Approved":{"commit":"1dd8fba8cfeddd71e44f477025626c491472367d","approver":"alice"}}}},{"MakeMerge":{"run":10001,"base":"master","test_branch":"auto","members":[{"pull":1,"head":"1dd8fba8cfeddd71e44f477025626c491472367d","message":"Auto merge of #1 - octo:good-day, r=alice\n\nGreet more formally\n\n`Hello` becomes `Good day`. All suites pass: say `@paprq-bot r+` and it lands.\n","style":{"shape":"as_they_are","history":"merged"}}],"again":null,"unlike":null}}]'
);
insert into events (id, repo, at, event, effects) values (
    11,
    'demo',
    1796087572140,
    '{"MergeMade":{"run":10001,"base_tip":"14285a47424cdbb1bcd903cc102f0eab73c6ca3f","merge":"37205bef6ab4274dbfdeaedf8d4720e519473e69"}}',
    '[{"PublishMerge":{"run":10001,"commit":"37205bef6ab4274dbfdeaedf8d4720e519473e69","branch":"auto"}},{"ReadSuites":{"run":10001,"commit":"37205bef6ab4274dbfdeaedf8d4720e519473e69"}}]'
);
insert into events (id, repo, at, event, effects) values (
    14,
    'demo',
    1796087572184,
    '{"SuiteStarted":{"run":10001,"context":"lint","url":"https://paprq.example/job/1"}}',
    '[]'
);
insert into events (id, repo, at, event, effects) values (
    24,
    'demo',
    1796087572626,
    '{"BaseSeen":{"branch":"master","tip":"37205bef6ab4274dbfdeaedf8d4720e519473e69"}}',
    '[{"CheckMergeability":{"base":{"branch":"master","tip":"37205bef6ab4274dbfdeaedf8d4720e519473e69","culprit":{"pull":1}},"pulls":"all"}}]'
);
insert into events (id, repo, at, event, effects) values (
    35,
    'demo',
    1796087573289,
    '{"BranchPushed":{"branch":"farewell","before":"d65e0c8f2debd047336e979ec010daa682363b92","after":"b6bdf180fd98d28df45e28fab1d82591e1342c9a","at":1796087573000}}',
    '[{"ReadPull":{"pull":2}}]'
);
