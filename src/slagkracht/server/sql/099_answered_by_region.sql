-- Who acts for two regions may use a key once in each: an answer is known by region, as it is read by region.

alter table slagkracht.answered drop constraint answered_pkey, add primary key (world, region, account_id, key);
