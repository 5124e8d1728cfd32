-- A hook that was called twice in vain, and a retry that is to be written down.

insert into outbox (id, repo, effect, ordered_at, tries) values (
    67,
    'demo',
    '{"CallHook":{"pull":7,"hook":"benchmark","body":"@paprq-bot benchmark=quick","data":"quick"}}',
    1796087574030,
    2
);
insert into outbox (id, repo, effect, ordered_at) values (
    68,
    'demo',
    '{"LogRetry":{"pull":7,"by":"alice","at":1796087574000,"body":"@paprq-bot retry"}}',
    1796087574031
);
