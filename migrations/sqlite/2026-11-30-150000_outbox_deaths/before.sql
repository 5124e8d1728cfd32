-- A repository whose name at GitHub is known.

insert into repos (label, ordinal, desk, known_since, synced_at, github_id, github_name, asked_as) values (
    'widgets',
    3,
    '{"tree":{"value":"Open","set_by":null},"last_run":110003,"bases":{},"welcome":[],"tips":{"contributing":"b24aa75daae12eedda92c47e667d26f4a8df78dd","farewell":"26a2a852eb1a5a3dc9ebe278f10448ba32b37fb4","good-day":"3a6f4fb46248635c5906f4c7cb2d3dd437fe4d55","maintainers":"17d30dedece19bef62be649066bf376007d997a5","master":"c75c4bacd91bc0a7faeffa7cfe2c07b84f3c4fe2","soak":"adc6810015da9e173ba22c43690eaf7b5f04ddaf","welcome":"f64614046ff09dcfad1ad823d20d111b9f299e56"}}',
    1796087711669,
    1796087411686,
    100003,
    'octo/widgets',
    'octo/widgets'
);
