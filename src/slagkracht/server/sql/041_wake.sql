-- Who may see a new fact is told with it, so that only their streams look; what each sees is decided by its own policy.
create or replace function slagkracht.announce() returns trigger language plpgsql as $$
begin
    perform pg_notify('slagkracht_event', new.tx::text || ' ' || new.world || ' ' || (
        select string_agg(distinct who, ',') from (
            select new.chain as who
            union all select unnest(new.audience)
            union all select c.receiver from slagkracht.consent c
                where c.world = new.world and c.region = new.chain and c.tier = 'volledig' and c.ended_at is null
                  and c.starts_at <= clock_timestamp() and clock_timestamp() < c.until) may_see));
    return null;
end $$;
create index on slagkracht.consent (world, region);
