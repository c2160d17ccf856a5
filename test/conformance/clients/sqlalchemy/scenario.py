"""What SQLAlchemy gets: ORM, reflection, both drivers below. As JSON lines. Usage: scenario.py DSN"""
import json, sys
from decimal import Decimal
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Numeric, String, Table, create_engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session, relationship


def say(what, value):
    print(json.dumps([what, value], default=repr, ensure_ascii=False), flush=True)


def attempt(what, work):
    try:
        say(what, work())
    except SQLAlchemyError as error:
        orig = getattr(error, "orig", None)
        diag = getattr(orig, "diag", None)
        say(what, [type(error).__name__, type(orig).__name__, getattr(orig, "sqlstate", None), str(orig), getattr(diag, "constraint_name", None)])


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True, nullable=False)
    books = relationship("Book", back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    title = Column(String, nullable=False)
    price = Column(Numeric(8, 2))
    author_id = Column(ForeignKey("authors.id"))
    author = relationship("Author", back_populates="books")


engine = create_engine(sys.argv[1].replace("postgresql://", "postgresql+psycopg://"), pool_size=1, max_overflow=0)
inspector = inspect(engine)
say("tables", sorted(inspector.get_table_names()))
say("columns", [[c["name"], str(c["type"]) , c["nullable"]] for c in inspector.get_columns("people")])
say("constraints", [inspector.get_pk_constraint("counted"), inspector.get_unique_constraints("counted"), inspector.get_check_constraints("counted"), inspector.get_foreign_keys("counted")])
say("views", inspector.get_view_names())
# One connection for all: tables belong to the role of the session that made them.
with engine.connect() as connection:
    Base.metadata.create_all(connection)
    connection.commit()
    with Session(connection) as session:
        session.add(Author(name="Ada", books=[Book(title="One", price=Decimal(1)), Book(title="Two ☂", price=Decimal("2.50"))]))
        session.add(Author(name="Bram"))
        session.commit()
        say("joined", session.execute(select(Author.name, func.count(Book.id)).outerjoin(Book).group_by(Author.name).order_by(Author.name)).all())
        ada = session.scalars(select(Author).where(Author.name == "Ada")).one()
        ada.books.pop()
        session.commit()
        say("books", session.scalars(select(Book.title)).all())

        def duplicate():
            session.add(Author(name="Ada"))
            session.commit()

        attempt("duplicate", duplicate)
        session.rollback()

        def nested():
            with session.begin_nested():
                session.add(Author(name="Bram"))

        attempt("nested", nested)
        session.rollback()
        session.execute(Book.__table__.insert(), [{"title": f"Many {i}", "price": i} for i in range(500)])
        say("many", session.scalar(select(func.sum(Book.price))))
        say("streamed", len(session.execute(select(Book.id), execution_options={"yield_per": 50}).all()))
        session.commit()
    attempt("syntax", lambda: connection.execute(text("SELEC")).all())
    connection.rollback()
    attempt("nowhere", lambda: connection.execute(text("SELECT * FROM nowhere")).all())
    connection.rollback()
    reflected = Table("people", MetaData(), autoload_with=connection)
    say("reflected", [repr(row) for row in connection.execute(select(reflected).order_by(reflected.c.id))])
    say("isolation", connection.get_isolation_level())
    Base.metadata.drop_all(connection)
    connection.commit()
engine.dispose()
