"""Fields → `PipelineSpec`: the parts of `validate`. `owners` knows who ends the utterance of each party."""
