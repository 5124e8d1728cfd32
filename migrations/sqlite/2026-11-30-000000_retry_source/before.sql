-- A webhook that is still to be passed on; its body is no text.

insert into forwards (id, repo, headers, body, bytes, received_at) values (
    1,
    'demo',
    '[["content-type","application/json"],["x-github-event","push"]]',
    x'7b22726566223a22ff227d',
    11,
    1796087574040
);
