"""Speaks to one server, for tests/servers.py: mysql.connector lives in .venv-mysql, pytest in .venv.

Started as `python sql_client.py PORT USER PASSWORD`. Reads pickled (statement, rows) from stdin, writes pickled
("rows", list), ("error", text) to stdout. With rows, the statement is executed once for each of them.
"""

import pickle
import sys
from collections.abc import Sequence
from typing import Any

import mysql.connector


def main(port: str, user: str, password: str) -> None:
    connection = None
    while True:
        try:
            statement, rows = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            connection = connection or mysql.connector.connect(
                host="127.0.0.1",
                port=int(port),
                user=user,
                password=password,
                charset="utf8mb4",
                collation="utf8mb4_general_ci",
                autocommit=True,
            )
            answer: tuple[str, Any] = ("rows", execute(connection, statement, rows))
        except mysql.connector.Error as error:
            answer = ("error", str(error))
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def execute(connection: Any, statement: str, rows: Sequence[Sequence[Any]] | None) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    try:
        if rows is None:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.with_rows else []
        connection.start_transaction()
        for first in range(0, len(rows), 500):
            cursor.executemany(statement, rows[first : first + 500])
        connection.commit()
        return []
    finally:
        cursor.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
