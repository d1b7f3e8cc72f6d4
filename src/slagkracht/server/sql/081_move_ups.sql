-- A move-up (herbezetting): which station a unit stands in for, for which line it was ordered, and the place it had.

alter table slagkracht.unit_place add column move_up text not null default '';
alter table slagkracht.unit_place add column move_up_line text not null default '';
alter table slagkracht.unit_place add column home_x_m double precision;
alter table slagkracht.unit_place add column home_y_m double precision;
alter table slagkracht.unit_place add constraint a_move_up_ends_at_home
    check (move_up = '' or (home_x_m is not null and home_y_m is not null));
grant update (move_up, move_up_line, home_x_m, home_y_m) on slagkracht.unit_place to slagkracht_app;
