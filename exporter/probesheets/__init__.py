"""probesheets: one spreadsheet per probe from the dbt models of this project."""
