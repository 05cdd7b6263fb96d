CREATE TABLE `day_surveys` (
	`venue` text NOT NULL,
	`day` text NOT NULL,
	`surveyed_at` integer NOT NULL,
	`objects` integer NOT NULL,
	`bytes` integer NOT NULL,
	`deleted_objects` integer NOT NULL,
	`deleted_bytes` integer NOT NULL,
	`deleted_at` integer,
	PRIMARY KEY(`venue`, `day`)
);
--> statement-breakpoint
CREATE TABLE `day_work` (
	`market` text NOT NULL,
	`day` text NOT NULL,
	`claimed_until` integer NOT NULL,
	`failures` integer NOT NULL,
	PRIMARY KEY(`market`, `day`)
);
--> statement-breakpoint
CREATE TABLE `days` (
	`market` text NOT NULL,
	`day` text NOT NULL,
	`part` integer NOT NULL,
	`link` integer NOT NULL,
	`head` text NOT NULL,
	`previous` text,
	`chain` text NOT NULL,
	`key` text NOT NULL,
	`bytes` integer NOT NULL,
	`blocks` integer NOT NULL,
	`lines` integer NOT NULL,
	`text_bytes` integer NOT NULL,
	`first_received_at` integer,
	`last_received_at` integer,
	`sources` text NOT NULL,
	`sources_until` integer NOT NULL,
	`tape_bytes` integer NOT NULL,
	`covered_ms` integer,
	`class_a` integer NOT NULL,
	`class_b` integer NOT NULL,
	`compacted_at` integer NOT NULL,
	PRIMARY KEY(`market`, `day`, `part`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `days_link` ON `days` (`market`,`link`);--> statement-breakpoint
CREATE INDEX `days_compacted` ON `days` (`compacted_at`);