"""Common English words that give the recogniser somewhere to go when a caller leaves the dialogue.

A language model made of the dialogue alone forces everything into the dialogue's words, and a question about bicycles
may come out as one about the weather. With these words beside them, each as likely as a word said once, what is outside
stays outside, and what is inside is still recognised, because the dialogue's sentences are far more likely.
"""

from __future__ import annotations

_WORDS = """
account after again air also always animal another apple arm ask baby back ball bank because bed before began best
better between bicycle big bird black blue board boat body book both bottle box boy bread break bring broken brother
brown build bus buy call came car card carry cat chair change child church class clean cold color computer could
country course cut dark daughter day dear deep dinner doctor dog dollar dollars done down draw dress drink drive
during each ear early earth east easy eat eight elephant end engine enough even ever every eye face family far farm
fast father feel feet few field fight fill find fire first fish five fix floor flower fly food foot football found
four friend from front full game garden gave girl give glass go goes gold gone got great green ground group grow had
hair half hand hard has hat head hear heart heavy her here high hill him his hold home horse hospital hot hour house
however hundred husband ice idea inside island job jump keep key kind king kitchen know land large last later learn
leave left leg less letter life light line list little live long look lost low machine main man many map mark market
matter may mean meet milk million minute money month moon more mother mountain move much music must near need neighbor
never new news next night nine north nose nothing now number ocean off office old once one only order other our out
over own page paint paper park part party pay people perhaps phone picture piece place plan plane plant play point
police power problem program pull put quick rain ran reach read ready red rest rice ride right river road rock room
round run said same savings saw school science sea second see seem seen sell send set seven several ship shoe shop
short should shoulder show side sing sister sit six size skin sky sleep slow small snow some son song soon sound south
space stand star start state step still stone street strong such sugar sun swim table take talk teach ten test than
them then these they thing think third those thousand three through together too took top town train transfer travel
tree try turn twelve twenty two under until up us use usual violin voice wait walk wall want warm wash watch water way
week went were west while white whole why wife wind window winter wood word work world would write wrong yard year
yellow yes yesterday yet young
"""

BACKGROUND_WORDS: tuple[str, ...] = tuple(_WORDS.split())
