CREATE TABLE `feed_objects` (
	`name` text PRIMARY KEY NOT NULL
);
