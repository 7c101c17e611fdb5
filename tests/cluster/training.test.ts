import { playExercises, SHORT_EXERCISES } from "../support/training.ts";

playExercises(SHORT_EXERCISES);
