-- Who is let go before arriving never came: what such a unit was to make is asked again, as long as the request is open. And
-- a region stays its own: who lent calls a unit back at any step before home, and says why.

alter table slagkracht.commitment add column dropped boolean not null default false;
alter table slagkracht.commitment add column recalled text check (recalled <> '');
alter table slagkracht.commitment add column recalled_why text not null default '';
alter table slagkracht.commitment add constraint gone_for_a_cause
    check (step in ('unit_released', 'unit_home') or not dropped and recalled is null);
grant update (recalled, recalled_why) on slagkracht.commitment to slagkracht_app;

create or replace function slagkracht.guard_commitment() returns trigger language plpgsql as $$
declare since timestamptz; who text := slagkracht.own(); recalls boolean := false;
begin
    if tg_op = 'INSERT' then
        select o.made_at into since from slagkracht.offer o join slagkracht.request_line l using (line_id)
            join slagkracht.request q using (request_id)
            where o.offer_id = new.offer_id and o.world = new.world and o.region = new.region and o.state = 'staat'
              and o.receiver = new.receiver and o.line_id = new.line_id and o.audience = new.audience
              and new.unit_id = any (o.units) and q.closed_at is null;
        if new.step <> 'unit_committed' or not found then
            raise exception 'eenheid % is niet aangeboden', new.unit_id using errcode = 'P0001';
        end if;
        new.step_at := coalesce(new.step_at, clock_timestamp());
    else
        since := old.step_at;
        recalls := new.step = 'unit_released' and who is not distinct from old.region;
        if not (old.step, new.step) in (
               ('unit_committed', 'unit_en_route'), ('unit_en_route', 'unit_arrived'), ('unit_arrived', 'unit_deployed'),
               ('unit_deployed', 'unit_relieved'), ('unit_relieved', 'unit_deployed'),
               ('unit_committed', 'unit_released'), ('unit_en_route', 'unit_released'),
               ('unit_arrived', 'unit_released'), ('unit_deployed', 'unit_released'),
               ('unit_relieved', 'unit_released'), ('unit_released', 'unit_home'))
        then
            raise exception 'toezegging %: % volgt niet op %', old.commitment_id, new.step, old.step
                using errcode = 'P0001';
        end if;
        if (new.step in ('unit_en_route', 'unit_arrived', 'unit_home') and who is distinct from old.region)
           or (new.step not in ('unit_en_route', 'unit_arrived', 'unit_home') and not recalls
               and who is distinct from old.receiver and who is distinct from 'LAC')
        then
            raise exception 'toezegging %: % is niet aan %', old.commitment_id, new.step, who using errcode = 'P0001';
        end if;
        if recalls <> (new.recalled is not null and old.recalled is null)
           or (not recalls and (new.recalled, new.recalled_why) is distinct from (old.recalled, old.recalled_why))
        then
            raise exception 'toezegging %: wie uitleende roept terug, en zegt waarom', old.commitment_id
                using errcode = 'P0001';
        end if;
        new.dropped := old.dropped or (new.step = 'unit_released' and old.step in ('unit_committed', 'unit_en_route'));
        new.version := old.version + 1;
    end if;
    if new.step_at < since or new.step_at > greatest(clock_timestamp(), since) then
        raise exception 'toezegging %: dat moment ligt voor de vorige stap of in de toekomst', new.commitment_id
            using errcode = 'P0001';
    end if;
    return new;
end $$;

-- What an accepted offer is good for: as many whole formations as those who did not drop out make, each formation taken as
-- an equal part of its units.
create function slagkracht.formations_left(of_offer text) returns integer language sql stable as $$
    select (o.count * count(*) filter (where not c.dropped) / count(*))::integer
    from slagkracht.offer o join slagkracht.commitment c using (offer_id) where o.offer_id = of_offer group by o.count $$;
grant execute on function slagkracht.formations_left(text) to slagkracht_app;

create function slagkracht.met_of(of_line text) returns integer language sql stable as $$
    select coalesce(sum(slagkracht.formations_left(o.offer_id)), 0)::integer
    from slagkracht.offer o where o.line_id = of_line and o.state = 'aanvaard' $$;
revoke all on function slagkracht.met_of(text) from public;

create or replace function slagkracht.check_met() returns trigger language plpgsql security definer
    set search_path = slagkracht, pg_temp as $$
begin
    if (select l.met from slagkracht.request_line l where l.line_id = new.line_id) <> slagkracht.met_of(new.line_id) then
        raise exception 'regel % is vervuld met wat erop aanvaard is en niet afviel, niet meer en niet minder', new.line_id
            using errcode = 'P0001';
    end if;
    return null;
end $$;

create function slagkracht.reopen_line() returns trigger language plpgsql security definer
    set search_path = slagkracht, pg_temp as $$
begin
    perform 1 from slagkracht.request_line l where l.line_id = new.line_id for update;
    update slagkracht.request_line l set met = slagkracht.met_of(l.line_id), version = l.version + 1
        from slagkracht.request q
        where l.line_id = new.line_id and q.request_id = l.request_id and q.closed_at is null
          and l.met <> slagkracht.met_of(l.line_id);
    return null;
end $$;
create trigger reopen_line after update of step on slagkracht.commitment
    for each row when (new.dropped and not old.dropped) execute function slagkracht.reopen_line();

-- As it was told so far: who is gone without having arrived.
alter table slagkracht.commitment disable trigger guard_commitment;
update slagkracht.commitment c set dropped = true
    where c.step in ('unit_released', 'unit_home') and not exists (
        select 1 from slagkracht.event e where e.world = c.world and e.kind = 'unit_arrived'
          and e.body->>'commitment' = c.commitment_id);
alter table slagkracht.commitment enable trigger guard_commitment;
update slagkracht.request_line l set met = slagkracht.met_of(l.line_id), version = l.version + 1
    from slagkracht.request q
    where q.request_id = l.request_id and q.closed_at is null and l.met <> slagkracht.met_of(l.line_id);
