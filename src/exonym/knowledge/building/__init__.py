"""From dump files to a `KnowledgeBase` directory, in steps of tasks.

    plan ─► read ─► items ─► titles ─► links ─► occurrences ─► finish
           (a part   (one)   (a language each)                 (one)
            of a file)

Between two steps there are only files, in a folder beside the result (`plan.Plan.work`); a task
writes its own files and no others. So tasks run anywhere, and a killed build goes on.
"""

from exonym.knowledge.building.build import build_knowledge_base

__all__ = ["build_knowledge_base"]
