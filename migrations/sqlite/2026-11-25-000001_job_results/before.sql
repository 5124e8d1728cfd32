-- One more job that passed, and who asked for a test to be repeated.

insert into retry_log (id, repo, number, at, who, message) values (
    1,
    'demo',
    2,
    1796087573200,
    'alice',
    '@paprq-bot retry: the network was down'
);
insert into jobs (id, repo, run, context, is_over, doc) values (
    7,
    'demo',
    30001,
    'lint',
    1,
    '{"id":7,"repo":"demo","run":30001,"purpose":"land","priority":0,"commit":"dfbb32ff8d41d154a1cee717cacab837846014a3","subject":{"pull":null,"labels":[],"identity":null,"branch":""},"suite":{"context":"lint","environment":{"sandbox":{"network":"off"}},"branches":["auto","try","master"],"pulls":true,"required":true,"env":[],"build":null,"tests":["sh tests/lint.sh"],"timeout_s":120,"artifacts":[],"packages":[],"extra_repos":[],"name":null,"matrix":[],"matrix_context":null,"needs":[],"paths":[],"paths_ignore":[],"labels":[],"slots":null,"retries":0,"preemptible":false,"allow_failure":false,"on_demand":false,"secrets":[]},"made_at":1796087573554,"state":{"Finished":{"outcome":{"outcome":"passed"},"at":1796087573873}},"attempts":[{"number":1,"worker":{"token":"local","name":"local-2"},"began_at":1796087573557,"ended":{"Reported":{"at":1796087573873,"outcome":{"outcome":"passed"}}}}]}'
);
