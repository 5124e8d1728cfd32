-- A job that passed on a tree that is known.

insert into jobs (id, repo, run, context, is_over, doc, tree, definition, passed_at) values (
    8,
    'demo',
    30001,
    'unit',
    1,
    '{"id":8,"repo":"demo","run":30001,"purpose":"land","priority":0,"commit":"dfbb32ff8d41d154a1cee717cacab837846014a3","subject":{"pull":null,"labels":[],"identity":null,"branch":""},"tree":"23d932a32d59ac915940d36354661cff99cb4de8","suite":{"context":"unit","environment":{"sandbox":{"network":"off"}},"branches":["auto","try","master"],"pulls":true,"required":true,"env":[],"build":null,"tests":["sh tests/unit.sh"],"timeout_s":120,"artifacts":[],"packages":[],"extra_repos":[],"name":null,"matrix":[],"matrix_context":null,"needs":[],"paths":[],"paths_ignore":[],"labels":[],"slots":null,"retries":0,"preemptible":false,"allow_failure":false,"on_demand":false,"secrets":[]},"made_at":1796087573554,"state":{"Finished":{"outcome":{"outcome":"passed"},"at":1796087573873}},"attempts":[{"number":1,"worker":{"token":"local","name":"local-2"},"began_at":1796087573557,"ended":{"Reported":{"at":1796087573873,"outcome":{"outcome":"passed"}}}}]}',
    '23d932a32d59ac915940d36354661cff99cb4de8',
    '648d98d665f24614ffedc8db5d10649f25667a2477f976da98e3c11aba83c311',
    1796087573873
);
