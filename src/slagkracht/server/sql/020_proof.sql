-- What the platform needs to prove itself: the keys that checkpoints are signed with, the checkpoints that regions hold
-- of each other, which facts were handed in from elsewhere, and mandates that end or pass from hand to hand.

-- The last fact of a world that no running transaction can come before. A place in a stream never lies beyond it: a
-- transaction number without a fact on disk is given out again after a crash, and a place beyond it would skip one.
create function slagkracht.last_fact(of_world text) returns xid8 language sql stable security definer
    set search_path = slagkracht, pg_temp
    as $$ select tx from slagkracht.event where world = of_world and tx < pg_snapshot_xmin(pg_current_snapshot())
          order by tx desc limit 1 $$;

create table slagkracht.region_key (
    world  slagkracht.world_name not null,
    region text not null references slagkracht.region,
    key    text not null,
    since  timestamptz not null default now(),
    primary key (world, region)
);

create table slagkracht.held_checkpoint (
    world       slagkracht.world_name not null,
    region      text not null references slagkracht.region,
    chain       text not null references slagkracht.region,
    number      bigint not null check (number > 0),
    hash        text not null,
    at          text not null,
    key         text not null,
    signature   text not null,
    received_at timestamptz not null default now(),
    primary key (world, region, chain, number, key)
);

create table slagkracht.handed_in (
    world       slagkracht.world_name not null,
    region      text not null references slagkracht.region,
    origin_hash text not null,
    number      bigint not null,
    primary key (world, region, origin_hash)
);

do $$
declare t text;
begin
    foreach t in array array['region_key', 'held_checkpoint', 'handed_in']
    loop
        execute format('alter table slagkracht.%I enable row level security', t);
        execute format('alter table slagkracht.%I force row level security', t);
        execute format('create policy add_own on slagkracht.%I for insert with check (world = slagkracht.world() and '
                       'region = slagkracht.own())', t);
        execute format('grant select, insert on slagkracht.%I to slagkracht_app', t);
    end loop;
end $$;
-- A public key is public; what a region holds of others is its own.
create policy see on slagkracht.region_key for select
    using (world = slagkracht.world() and slagkracht.own() is not null);
create policy see_own on slagkracht.held_checkpoint for select
    using (world = slagkracht.world() and region = slagkracht.own());
create policy see_own on slagkracht.handed_in for select
    using (world = slagkracht.world() and region = slagkracht.own());

-- Persons and mandates are kept by the owner of the database, who acts only through these functions.
create policy kept_by_owner on slagkracht.person to current_user using (true) with check (true);
create policy kept_by_owner on slagkracht.mandate to current_user using (true) with check (true);

create function slagkracht.holds(of_role text) returns boolean language sql stable security definer
    set search_path = slagkracht, pg_temp
    as $$ select exists (select 1 from slagkracht.mandate where account_id = slagkracht.account()
          and region = slagkracht.own() and world = slagkracht.world() and role = of_role
          and starts_at <= now() and now() < until) $$;

create function slagkracht.add_person(new_account bigint, new_name text) returns void language plpgsql
    security definer set search_path = slagkracht, pg_temp as $$
begin
    if not slagkracht.holds('beheerder') then
        raise exception 'personen toevoegen is aan de beheerder van %', slagkracht.own() using errcode = 'P0001';
    end if;
    insert into slagkracht.person (account_id, region, name) values (new_account, slagkracht.own(), new_name);
end $$;

create function slagkracht.give_mandate(to_account bigint, of_role text, over text, until_at timestamptz)
    returns bigint language plpgsql security definer set search_path = slagkracht, pg_temp as $$
declare made bigint;
begin
    if not slagkracht.holds('beheerder') then
        raise exception 'mandaat geven is aan de beheerder van %', slagkracht.own() using errcode = 'P0001';
    end if;
    if not exists (select 1 from slagkracht.person p where p.account_id = to_account and p.region = slagkracht.own()) then
        raise exception 'deze persoon hoort niet bij %', slagkracht.own() using errcode = 'P0001';
    end if;
    insert into slagkracht.mandate (account_id, region, role, what, world, until)
        values (to_account, slagkracht.own(), of_role, over, slagkracht.world(), until_at) returning mandate_id into made;
    return made;
end $$;

create function slagkracht.end_mandate(which bigint) returns boolean language plpgsql
    security definer set search_path = slagkracht, pg_temp as $$
begin
    update slagkracht.mandate set until = greatest(now(), starts_at + interval '1 microsecond')
        where mandate_id = which and region = slagkracht.own() and world = slagkracht.world() and until > now()
        and (account_id = slagkracht.account() or slagkracht.holds('beheerder'));
    return found;
end $$;

-- A function passes from who holds it to someone of the same region, in one movement: never both, never nobody.
create function slagkracht.pass_function(of_role text, to_account bigint) returns timestamptz language plpgsql
    security definer set search_path = slagkracht, pg_temp as $$
declare held slagkracht.mandate;
begin
    select * into held from slagkracht.mandate where account_id = slagkracht.account() and region = slagkracht.own()
        and world = slagkracht.world() and role = of_role and starts_at <= now() and now() < until
        order by until desc limit 1 for update;
    if held is null then
        raise exception 'u heeft de functie % niet (meer)', of_role using errcode = 'P0001';
    end if;
    if to_account = held.account_id or not exists (
        select 1 from slagkracht.person p where p.account_id = to_account and p.region = slagkracht.own()) then
        raise exception 'overdragen kan aan iemand anders van %', slagkracht.own() using errcode = 'P0001';
    end if;
    update slagkracht.mandate set until = greatest(now(), starts_at + interval '1 microsecond')
        where account_id = held.account_id and region = held.region and world = held.world and role = of_role
        and starts_at <= now() and now() < until;
    insert into slagkracht.mandate (account_id, region, role, what, information_class, world, until)
        values (to_account, held.region, of_role, held.what, held.information_class, held.world, held.until);
    return held.until;
end $$;

revoke all on function slagkracht.last_fact(text), slagkracht.holds(text), slagkracht.add_person(bigint, text),
    slagkracht.give_mandate(bigint, text, text, timestamptz), slagkracht.end_mandate(bigint),
    slagkracht.pass_function(text, bigint) from public;
grant execute on function slagkracht.last_fact(text), slagkracht.holds(text), slagkracht.add_person(bigint, text),
    slagkracht.give_mandate(bigint, text, text, timestamptz), slagkracht.end_mandate(bigint),
    slagkracht.pass_function(text, bigint) to slagkracht_app;
