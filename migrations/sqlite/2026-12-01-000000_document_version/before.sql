-- A push that is not applied yet, and an order that is not carried out: documents without a number.

insert into inbox (id, repo, delivery, events, received_at, done_at) values (
    201,
    'widgets',
    'b1d0c7e4-3c1e-4f53-9b0b-5f1b3f0a7d11',
    '[{"BranchPushed":{"branch":"master","before":"597de78842a0f3c07f852629450201abcba1907f","after":"b4a8fd71608a0e04fa57fb13f0e8650640b08e85","at":1796087713000}}]',
    1796087713034,
    null
);
insert into outbox (id, repo, effect, ordered_at, tries, under_way, deaths) values (
    202,
    'widgets',
    '{"ReadPull":{"pull":4}}',
    1796087713041,
    0,
    0,
    0
);
