-- in latin1, as their author made them
create table table_text (id int primary key auto_increment, experiment_id int, probe text, text text) charset latin1;
insert into table_text values (1, 1, 'The café is', 'The café is open, see https://example.org/a'), (2, 1, 'The café is',
  'The café is shut'), (3, 2, null, 'No prompt'), (4, 2, 'It was', '  '), (5, 1, 'It was', null);
create table table_text_data (id int primary key auto_increment, text_id int, name varchar(128), value varchar(128))
  charset latin1;
insert into table_text_data values (1, 1, 'created', '2020-04-20 10:52:02'), (2, 1, 'location', 'Zürich'),
  (3, 2, 'created', '2020-03-08'), (4, 2, 'probability', 'forty'), (5, 3, 'Created', '2020-01-01'), (6, 9, 'created', '2020-01-02');
create table table_experiment (id int primary key, name varchar(255), model_name varchar(255), date datetime) charset latin1;
insert into table_experiment values (1, 'first', 'gpt2', '2022-05-01 10:00:00'), (2, 'second', null, null);
create table table_generate_params (id int primary key, model varchar(255), temp float) charset latin1;
insert into table_generate_params values (7, 'text-davinci-003', 0.7);
create table table_run (id int primary key auto_increment, experiment_id int, run_id int, prompt text, response text,
  generator_params int, embedding longblob) charset latin1;
insert into table_run values (1, 1, 11, 'Once upon', 'Once upon a time', 7, x'80049500'), (2, 2, 12, 'Once upon', 'a naïve
  time', 7, x'8004'), (3, 1, 13, 'Why?', null, 8, null);
