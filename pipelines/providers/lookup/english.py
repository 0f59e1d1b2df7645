"""English, as callers talk, and what is said to them."""

from __future__ import annotations

from pipelines.providers.lookup.language import QuestionLanguage, Talk

_TALK = {
    Talk.GOODBYE: (
        r"(good ?)?(bye)( ?(bye|by|now))*|good ?(by|buy)|^(by|buy)( (by|buy))?$|good night|cheerio"
        r"|see (you|ya)( (later|soon|then|there|tonight|tomorrow|around))?|take care"
        r"|(talk|speak) to you (later|soon)|farewell"
        r"|(that|this)( i|wi)?(s|ll be| is| was| will be| would be) (all|everything)"
        r"( (i|we) (need|needed|wanted|want)( to know)?)?( for (now|today))?"
        r"|(that|this)( i|wi)?(s|ll be| is| was| will be| would be) it for (now|today)"
        r"|have an? \w+ (day|night|evening|one|weekend|afternoon|morning|week)"
        r"|(you )?(have|enjoy) (a|your) (day|night|evening|weekend)"
        r"|(?<!do )(i|we)(ve| have| need)?( got| gotta)? (to )?(go|run|hang up)( now)?$"
        r"|nothing (else|more)|(you can |please )?(hang up|end (the|this) call)"
        r"|i( a)?m (done|finished)|i have everything( i need)?"
    ),
    Talk.IDENTITY: (
        r"(are|re) you( really| actually)? (an? )?(real |actual |live |automated |artificial )*"
        r"(human( being)?|person|robot|bot|machine|computer|ai|a i|real|recording"
        r"|answering machine|program|automated|intelligence|chat ?bot)"
        r"|(am|m) i( really| actually)? (talking|speaking)( to| with) (an? )?"
        r"(real |actual |live )?(human( being)?|person|robot|bot|machine|computer|ai|recording)"
        r"|(is|s) (this|that|it) (an? )?(real person|human|robot|bot|machine|recording|ai|computer)"
        r"|who (are you|is this|am i (talking|speaking) (to|with))|what are you$"
        r"|what(s| is) your name"
    ),
    Talk.REPEAT: (
        r"(can|could|would|will) (you|u)( please)?( just)? (repeat|say|read|tell me)"
        r"( (that|it|this|yourself|the last \w+|what you( just)? said|your answer))"
        r"( (again|once more|one more time|please|to me|slowly|slower|louder))*"
        r"|(say|repeat|read|tell me|give me) (that|it|this|the \w+) (again|once more|one more time)"
        r"|^(please )?(say|repeat)( (that|it|again|please|the last \w+|what you said))*$"
        r"|come again|whats? (was|is|did|do)? ?(that|it|you)( just)? sa(y|id)"
        r"|(what|when|where|who|how (much|long|many|late)|(which|what) \w+) did (you|u)( just)? say"
        r"|what (was|is) that( again)?|whats that( again)?|(once|one) more time"
        r"|i (did ?nt|did not|do ?nt|do not|could ?nt|could not|can ?t|cannot)"
        r"( really| quite| even| fully)? (hear|catch|get|understand|follow)( (that|you|it|what you"
        r"( just)? said|a word|the last \w+|all of (that|it)|everything))?"
        r"( (very|so) well| properly| clearly)?"
        r"|((a (bit|little)|can you|could you|please|speak|talk|go|say (it|that))"
        r"( speak| talk| go| be)? )?(a (bit|little) )?(more )?(slowly|slower|louder)( please)?"
        r"|slow down|speak up|you(re| are) (too )?(fast|quiet|breaking up|cutting out)"
        r"|i missed (that|it|the last \w+|what you said)|say again"
        r"|(the |this |my )?(line|connection|reception|signal)( is|s)?( \w+)? "
        r"(bad|terrible|poor|crackly|noisy|awful|weak)|its( \w+)? (loud|noisy)( in| out)?( here)?"
    ),
    Talk.TOPICS: (
        r"what (can|could|should|may) (i|we) ask( you)?( about)?"
        r"|what (can|do|could) you (do|know|answer|tell me|help( me)?( with)?)( for me)?"
        r"|(what|how) (can|could) you help( me| us)?( with)?"
        r"|(can|could|would) you( please)? help( me| us)?( please)?|^(i need |please )?help( me)?$"
        r"|what (else )?(can|do) you (offer|know)$|what (topics|questions)( \w+){0,4}"
        r"|what are my options"
    ),
    Talk.WAIT: (
        r"(hold on|hang on|wait|just|one|give me)( just)?( a| one)? "
        r"(second|sec|moment|minute|bit)|hold on|hang on|^wait$|let me (think|see)"
    ),
    Talk.DONE: r"(that|this)( i|wi)?(s|ll be| is| was| will be| would be) it$|all (set|good)$",
    Talk.WRONG_ANSWER: (
        r"(no )?(but )?(that|this)( i)?s (not|nt) (it|(really )?what (i|we) \w+( \w+)?|right)"
        r"|(that|this)( i)?s wrong|(thats )?wrong (answer|question)|thats? isnt (it|what i \w+)"
        r"|you (misunderstood|got me wrong|didnt (listen|understand( me)?|answer( my question)?))"
    ),
    Talk.NO: (
        r"^(no|nope|nah|not? really|not? (right )?now)\b|\bno$|no (thanks|thank you)"
        r"|(?<!if )i( a)?m (good|fine|okay|ok|all set)(?= |$)(?! with)|never ?mind|forget it"
        r"|dont worry( about it)?|neither( of (them|those|these))?"
    ),
    Talk.YES: (
        r"^(yes|yeah|yep|yup|ya|yea|sure|exactly|correct|please|please do|of course|absolutely"
        r"|definitely|go ahead|thats? (is )?(right|correct|the one|what i \w+)|i do|right)"
        r"(?= |$)|\b(yes|yeah)( please)?$|yes please|please do|^(?:okay |ok )?please$"
    ),
    Talk.OKAY: (
        r"^(okay|ok|alright|all right|great|perfect|cool|fine|i see|got it|sounds good|good|lovely"
        r"|wonderful|excellent|super|awesome|brilliant|that(s| is) (fine|good|great|okay|ok|perfect"
        r"|lovely))(?= |$)|\b(okay|ok|great|perfect|i see|got it)$"
    ),
    Talk.THANKS: (
        r"(thanks|thank you|thankyou|thank)"
        r"( (so|very) much| a lot| again| for (your|the|all your) (help|time|information))*"
        r"|(i |much )?appreciated?( it| that)?|cheers|that (helps|was helpful)"
    ),
    Talk.SORRY: (
        r"(i )?(beg your )?pardon( me)?|(i( a)?m )?sorry( what)?|excuse me|^(what|huh|again|eh)$"
    ),
    Talk.HELLO: (
        r"hello|hi|hey|hiya|howdy|good (morning|afternoon|evening|day)|how are you( doing)?"
        r"( today)?|is (anybody|anyone|somebody|someone) there|are you (there|still there)$"
    ),
}

_ASKS = {
    "duration": r"how long (?!are|will you be open)|how many (minutes|hours|days|weeks|months)",
    "distance": r"how far|closest|nearest",
    "time open": (
        r"((what|which|what are (your|the)) )?((opening|business|office|working|trading) )?hours"
        r"|opening times?"
    ),
    "time": (
        r"(from |until |till |til |by )?(what|which) (times?|days)|(until |till |from )?when"
        r"|how (late|early)|how long (?=are|will you be open)|until how late"
    ),
    "price": (
        r"price range|(roughly |about )?how (much|expensive|pricey|costly)"
        r"( would| does| do| will| is| are)?"
        r"|prices?|priced|pricing|costs?|costing|expensive|pricey|cheap(er)?|fees?"
        r"|(do|would|will|you) charge( for)?|what (do|would|will|does) (i|we|you|one) pay"
    ),
    "place": (
        r"where(abouts)?( exactly)?|address|location|located|directions?|navigation|gps"
        r"|(how|which way) (do|can|would|could|will|should) (i|we|you|one) (get|come|go|drive)"
        r"( (to|over to) (you|your|the)( guys)?| there| here)?|how (do|can|could) (i|we) find"
        r"|(what|which) (street|road|avenue)"
        r"|(cant|cannot|cant seem to|trying to|try to) find (you|your|the)"
    ),
    "who": r"whos?|whose|(the )?names? of",
}

_IDLE = """
a an the this that these those it its is are was were be been being am do does did dont doesnt didnt
done has have had having got can cant could couldnt will wont would wouldnt should shall may might
must i id im ill ive me my mine we us our weve well you your youre yours he shes hes she him her his
hers they theyre them their guys there theres here heres to of in on at by for with from into as
about and or but so if then than also just only really very quite please thanks thank um umm uh uhm
er erm eh hmm hm mm mhm oh ah ok okay like yes yeah yep no not any some anything something all maybe
perhaps possibly probably know tell ask want wanted wants wanna need needs looking look wondering
wonder curious question questions give gets get getting go goes going gonna gotta let lets say said
see thing things stuff possible able hi hello hey good nice great fine alright right whats what
which how hows whom exactly actually basically kind sort type moment now currently still ever always
usually normally guess think believe suppose mean meant sure anywhere somewhere someone anyone
anybody somebody nearby near around sir maam bit lot lots little using sorry calling called call one
two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty hundred
because too up out off down over when where who why interested hear heard told yet already again
anymore couple few youve theyve youd theyd wed hed itd youll theyll itll never since every each
other another whether though whose somehow wasnt isnt arent werent hasnt havent hadnt ones ya yall
thats
"""

_LIGHT = """
buy buying make makes made use used take takes taking took sell sells selling serve serves serving
offer offers offering provide provides accept accepts allow allowed allows welcome bring brings
bringing come comes coming came find found put puts keep keeps kept show try tried start starts
starting begin end ends happen happens work works working worked turn send sent given asked wait
waiting stay live lives feel love hate hope wish plan planning enjoy deal care handle manage mind
remember receive become went gone seen read write listen place places restaurant shop store practice
office company business building town city downtown area center centre state country world wife
husband mother father mom dad mum friend friends family girlfriend boyfriend partner parents grandma
grandpa uncle aunt brother sister guest guests customer customers visitor people person persons man
woman men women lady guy everyone everybody nobody morning afternoon evening night midday noon day
days week weeks month months year years minute minutes hour second seconds time times date yesterday
ago last next first early earliest earlier soon soonest latest long longer short quick quickly fast
slow before after during until while round along across against between behind inside within without
through under per away together alone instead else otherwise especially better best bad badly worse
worst lovely terrible horrible awful amazing big bigger small smaller large huge tiny old older new
newer young younger same different similar certain special normal regular usual particular various
simple easy hard difficult hot cold warm high low full empty busy dead wrong true clear important
main whole half single double extra additional full-time pretty rather even almost nearly roughly
approximately maximum minimum least most more less enough method methods option options way ways
case cases problem problems issue trouble reason idea point piece range number amount size types
style name names word list info information details help service services item items example set
pair side top bottom front back middle rest dozen tonight offhand favourite favorite professional
personal actual exact specific several multiple stuck hand eye standing
"""

_ALIKE = """
open close shut closed
book reserve reservation booking
appointment slot
move change postpone reschedule rebook shift
repair fix mend broken broke break
service tune tuneup maintenance
bike bicycle cycle
cyclist cycling cycle rider
ride riding
tire tyre
flat puncture
rent rental hire renting
buy purchase bought sell
used secondhand trade
child kid son daughter toddler baby boy girl
dog puppy pet
pet animal
pay payment paying cash bill
contactless mobile
instalment installment monthly financing finance rate
voucher gift
gift present
job hiring vacancy position apply employment recruit
deliver delivery ship shipping
takeaway takeout
pickup collect collection
wifi internet wlan wireless
online internet website web site
wheelchair disabled accessible accessibility disability
stair step lift elevator ramp
toilet bathroom restroom loo washroom
outside outdoor outdoors patio terrace garden
vegetarian veggie meat
vegan plant
allergy allergic intolerance intolerant
celiac gluten coeliac
dairy lactose milk
nut peanut
food eat dish meal cuisine
drink beverage alcohol wine beer cocktail
breakfast brunch
lose lost forget forgot forgotten left leave
person human somebody someone people operator
speak talk connect
speak language
manager boss
owner own owns
wear dress clothes
party celebrate celebration event birthday
train subway metro railway
bus tram transit
park parking
tooth teeth
dentist doctor
pain ache hurt toothache hurting sore
emergency urgent urgently
clean cleaning hygienist hygiene
whiten whitening bleach bleaching white whiter
examination exam check checkup
insurance insurer insured cover coverage
nervous afraid scared fear anxious
sedation sedate sedated
brace aligner straighten crooked
record file history
register registration
refund return
exchange swap
warranty guarantee
steal stolen theft
helmet accessory
part spare
stock available availability
learn course class lesson beginner
group club
holiday christmas thanksgiving easter
late delayed delay
"""

_INSTEAD = """
monday tuesday wednesday thursday friday saturday sunday
today tonight tomorrow weekend
holiday christmas thanksgiving
"""

_DECISIVE = """
cancel change move postpone reschedule return refund exchange lose lost forget forgot left steal
stolen job hiring emergency instalment late without complain complaint
"""

_PHRASES = {
    "voucher": r"gift (cards?|vouchers?|certificates?|tokens?)",
    "card": r"(credit|debit|bank) cards?|american express|amex|visa( cards?)?|master ?cards?",
    "contactless": r"(apple|google|mobile) pay(ments?)?|pay (with|by) (my |a )?(phone|watch)",
    "wifi": r"wi fi|wireless internet",
    "pickup": r"(pick|picked|picking|collect) (it |that |them |something |food )?up",
    "takeaway": r"(take|taking|takes) ?(it |that |something |food )?(aways?|outs?)|to go$",
    "parking": r"(car parks?|parking (lots?|spaces?|spots?|garage)|(leave|put) (my|the|our) car)",
    "secondhand": r"second hand|pre ?owned",
    "checkup": r"check ups?",
    "tuneup": r"tune ups?",
    "xray": r"x rays?( pictures?| images?)?",
    "electric bike": r"e ?bikes?|pedelecs?",
    "open": r"open(s|ed|ing)? up|opening (?!hours|times?)",
    "speak": r"(put|patch) (me|us) through|connect (me|us)|get (me )?(a hold|hold) of",
    "child": r"\w+ years? olds?|little (one|ones|kids?|children)",
    "holiday": r"(public|bank|national) holidays?|new years?( day| eve)?|christmas (day|eve)",
    "late": r"running (\w+ )?(\w+ )?(minutes? )?late|stuck in traffic",
    "today": r"(right |just )?now(?= (are|is|or))|this (evening|morning|afternoon)|tonight",
    "cancel": r"call off|(cant|cannot|wont( be able to)?|not be able to) (make|come)( it)?",
    "trade": r"trade (it |my \w+ |my \w+ \w+ )?in|part exchange",
}

ENGLISH = QuestionLanguage(
    hello="Hello. How can I help you?",
    welcome="You're welcome.",
    anything_else="Is there anything else I can help you with?",
    listening="Go ahead, I'm listening.",
    all_right="All right.",
    take_your_time="Take your time.",
    identity="I'm an automated assistant, not a person.",
    not_caught="Sorry, I didn't catch that. Could you say it again?",
    unsure="I'm sorry, I don't know that.",
    goodbye="Thank you for calling. Goodbye.",
    which="Which of these do you mean?",
    alternatively="Or:",
    this_one="Do you mean:",
    examples="You can ask me, for example:",
    talk=_TALK,
    first=r"\b(first|former|number one|1|one)\b",
    second=r"\b(second|latter|last|number two|2|two|other)\b",
    both=r"\b(both|each)\b",
    joints=r"[.?!,;:]+|\b(?:and|also|or|plus|then)\b",
    questions=(
        r"(can|could|may) (i|we|you|he|she|they|it)|(do|does|did) (you|i|we|anyone|anybody|it)"
        r"|(is|are|was) (there|it|that|you|the|your)|(would|will) (you|it|that|there)"
        r"|have you|(what|which|where|when|who|how(?! to))\b|(what|where|when|how|who)s|whereabouts"
        r"|until when|until what"
    ),
    tells=(
        r"(i|we)( would|d)? (need|want|like|love) to|id (like|love)|im (looking|calling|trying)"
        r"|(i|we) (need|want|have)|(ive|weve) got"
    ),
    subject=(
        r"(?:is|are|was|does|did|do|will|can|wheres|whens|hows|(?:number|address|name|price) of)"
        r" (?:the|a) (?:nearest |next |closest )?(\w+)"
    ),
    follows=(
        r"and|or|but|what about|how about|what of|no|wait|actually|sorry|i meant?|rather|instead"
        r"|then|so|also|okay|ok"
    ),
    refers=r"it|that|this|they|them|those|these|there|one|ones|then",
    asks=_ASKS,
    phrases=_PHRASES,
    idle=_IDLE,
    light=_LIGHT,
    alike=_ALIKE,
    decisive=_DECISIVE,
    instead=_INSTEAD,
    stemmer="english",
)
